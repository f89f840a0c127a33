// Takes sessions over from other nodes, and hands them over to those.
import type { Runtime } from '../actor/index.ts';
import { HISTORY_MS } from './limits.ts';
import type { PeerMessage } from './messages.ts';
import { PeerQueries } from './peer-queries.ts';
import type { Peers } from './peers.ts';
import type { RoomsPeer } from './rooms-peer.ts';
import { NONE_TAKEN, type Sessions, type Taken } from './sessions.ts';
import type { SessionClaim, TokenSigner } from './token-signer.ts';

/** What a peer knows of the messages of a session. */
interface Answer {
  readonly keyId: string;
  readonly taken: Taken;
  readonly reported: number;
}

/** Whether a client may continue a session. */
export interface ClaimOutcome {
  /** What is known of the messages of this client that were taken. */
  readonly taken: Taken;
  /**
   * Whether another client has resumed the session since, and has sent messages: their numbers are not those of this client, which therefore
   * gets a new session.
   */
  readonly isStale: boolean;
}

export class SessionClaims {
  /** For sessions that are taken over. */
  readonly queries: PeerQueries<Answer>;
  readonly #peers: Peers;
  readonly #sessions: Sessions;
  readonly #signer: TokenSigner;

  constructor(runtime: Runtime, peers: Peers, sessions: Sessions, signer: TokenSigner) {
    this.queries = new PeerQueries(runtime);
    this.#peers = peers;
    this.#sessions = sessions;
    this.#signer = signer;
  }

  /** Whether another client has sent messages in a session since the token of `claim` was made, as far as this node knows. */
  isStale({ session, generation }: SessionClaim): boolean {
    return this.#sessions.taken(session).generation > generation;
  }

  /**
   * Takes a session over from the node that has it: that node closes its connection. Only the node that signed the token can have taken messages of
   * the client since. If it does not answer, the greatest number that any node knows counts.
   */
  async take(claim: SessionClaim): Promise<ClaimOutcome> {
    const answers = await this.#ask(claim, claim.generation + 1);
    const { session } = claim;
    const home = this.#home(claim, answers);
    const own = this.#sessions.taken(session);
    if (home !== undefined) return outcomeOf(claim, own, home);
    const others = answers.flatMap(({ taken, reported }) => [taken.number, reported]);
    const number = Math.max(own.number, this.#sessions.reported(session), ...others);
    return { taken: { number, generation: claim.generation, before: 0 }, isStale: false };
  }

  /** What is known of the messages of a client whose session another client continues. Closes no connection. */
  async fork(claim: SessionClaim): Promise<ClaimOutcome> {
    const home = this.#home(claim, await this.#ask(claim, claim.generation));
    return { taken: home === undefined ? NONE_TAKEN : before(claim, home), isStale: true };
  }

  #ask({ session }: SessionClaim, generation: number): Promise<Answer[]> {
    return this.queries.ask(this.#peers.all(), HISTORY_MS, (peer, ref) =>
      this.#peers.send(peer, ['claim', ref, session, generation]),
    );
  }

  /** What the node knows that signed the token of the claim; undefined: it has not answered. */
  #home({ session, signedBy }: SessionClaim, answers: readonly Answer[]): Taken | undefined {
    if (signedBy === this.#signer.id) return this.#sessions.taken(session);
    return answers.find(({ keyId }) => keyId === signedBy)?.taken;
  }

  /** A peer has claimed a session, and this node has handed it over. */
  answer(peer: RoomsPeer, ref: number, session: string): void {
    const { number, generation, before } = this.#sessions.taken(session);
    this.#peers.send(peer, ['last', ref, number, this.#sessions.reported(session), generation, before]);
  }

  answered(
    peer: RoomsPeer,
    [, ref, number, reported, generation, before]: PeerMessage & readonly ['last', ...unknown[]],
  ): void {
    const taken = { number, generation, before };
    this.queries.answered(peer, ref, { keyId: peer.keyId, taken, reported });
  }
}

function outcomeOf(claim: SessionClaim, own: Taken, home: Taken): ClaimOutcome {
  const { generation } = claim;
  if (own.generation > generation || home.generation > generation)
    return { taken: before(claim, home), isStale: true };
  return { taken: own.number > home.number ? own : home, isStale: false };
}

/** What the node of a client knows, without what another client has sent that has continued the session. */
function before({ generation }: SessionClaim, home: Taken): Taken {
  if (home.generation <= generation) return home;
  // The other client was told `before` when it resumed: up to there the messages are those of both.
  return home.generation === generation + 1 ? { ...NONE_TAKEN, number: home.before } : NONE_TAKEN;
}
