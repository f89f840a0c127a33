// What goes wrong, in words a program can test.
//
// One class with a stable `code`, one table that says what each code means and what to do about it, and the forms that
// exit reasons take. Misuse throws one of these at once; what happens on another node is a signal, never an exception.
// It imports nothing, and every other module may import it. So `listening`, which several servers need, is here, too.

export {
  badArgument,
  badOption,
  checkArray,
  checkFlag,
  checkFunction,
  checkNodeText,
  checkSignal,
  checkTag,
  givenText,
  kindOf,
  nameText,
} from './arguments.ts';
export { ENGINES, isEngine } from './engine.ts';
export {
  type AllOf,
  checkHost,
  checkOptionNames,
  nearestName,
  type OptionNames,
  type SomeOf,
  unknownOption,
  withDefaults,
} from './known-options.ts';
export { listening } from './listening.ts';
export { SnowmeshError, type SnowmeshErrorOptions } from './snowmesh-error.ts';
export { ERRORS, type ErrorCode } from './table.ts';
