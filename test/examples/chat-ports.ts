// Ports for a chat of a test: three pages and three nodes.
import { reservePort } from '../support/ports.ts';

/** The first of six free ports, as `--port` takes it. */
export const freePorts = (): Promise<number> => reservePort([0, 1, 2, 10, 11, 12]);
