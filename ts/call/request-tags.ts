// Tags of calls between nodes that the runtime answers itself. User code never sees them.

/** Asks an actor to end in order. */
export const STOP_TAG = '$snowmesh.stop';
/** Brings a message, and is answered when the message is in the mailbox. */
export const SEND_TAG = '$snowmesh.send';
