// Tags of calls between nodes that the runtime itself handles. User code never sees them.

/** `stop`: the actor's end is the answer. */
export const STOP_TAG = '$snowmesh.stop';
/** `sendWait`: answered when the message is in the mailbox. */
export const SEND_TAG = '$snowmesh.send';
