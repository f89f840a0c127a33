// What a peer lists of its peers: hints, and not too many.
import { expect, it } from 'vitest';
import { FrameTag } from '../../../../ts/wire/index.ts';
import { openScripted } from '../scripted-cluster.ts';
import { Body } from '../scripted-native.ts';

it('T14 the first 512 names of one list are taken, the rest is ignored', async () => {
  const { kit, native, cluster } = openScripted('me@127.0.0.1:4000', { mesh: 'full' });
  native.up(1, 0x101, 'x@127.0.0.1:4001');
  const listed = Array.from({ length: 600 }, (_, at) => `n${at}@127.0.0.1:4002`);
  const body = new Body().u16(listed.length);
  for (const name of listed) body.name(name);
  native.emit(FrameTag.PEER_LIST, 1, body);
  const ready = cluster.ready({ peers: 5000, timeout: 1 }).catch((error) => error.details.missing);
  await kit.advance(1);
  expect(await ready).toEqual(listed.slice(0, 512));
  kit.stop();
  await cluster.close();
});
