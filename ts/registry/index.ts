// Names of local actors.
//
// One map from name to PID and one back, both O(1).
//
// Guarantees: one living actor a name; a name is free before anybody hears of its holder's death; O(1). Actors know this room only
// as the NamesPort they define. Names of a whole cluster are another room's business.
export { LocalNames } from './local-names.ts';
