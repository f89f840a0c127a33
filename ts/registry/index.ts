// Names of local actors, and keys that several of them share.
//
// One map from name to PID and one back, both O(1); the same for keys, to any number of actors.
//
// Guarantees: one living actor for a name, any number for a key; both are free before any other actor is told of the death of their
// holder; every operation is O(1). The actor layer knows this module only as the port for names that it defines. Names of a whole
// cluster are in ts/global.
export { DuplicateRegistry, type RegistryEntry, type RegistryKey } from './duplicate-registry.ts';
export { LocalNames } from './local-names.ts';
