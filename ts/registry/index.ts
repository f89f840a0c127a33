// Names of local actors, and keys that many of them share.
//
// One map from name to PID and one back, both O(1); the same for keys, to any number of actors.
//
// Guarantees: one living actor a name, any number a key; both are free before anybody hears of their holder's death; O(1).
// Actors know this room only as the NamesPort they define. Names of a whole cluster are another room's business.
export { DuplicateRegistry, type RegistryEntry, type RegistryKey } from './duplicate-registry.ts';
export { LocalNames } from './local-names.ts';
