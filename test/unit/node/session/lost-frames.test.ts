// A frame that cannot be passed on is never lost silently.
import { expect, it } from 'vitest';
import { DownCause, FrameTag, NativeEvent } from '../../../../ts/wire/index.ts';
import { Body } from '../scripted-native.ts';
import { NC, openNetwork as open, PEER } from './scripted-network.ts';

it('the session ends when there was no memory for a long frame, without the frames after it', () => {
  const { native, news } = open();
  native.up(3, NC, PEER);
  const hole = Array<Uint8Array>(1);
  native.emit(NativeEvent.BIG, 3, new Body().u32(0), hole);
  native.emit(FrameTag.SEND, 3, new Body().u64(0n));
  native.down(3, DownCause.CLOSED);
  expect(native.hangups).toEqual([3]);
  expect(news).toEqual([
    ['up', PEER],
    ['down', PEER, 'closed', 'no memory for a message'],
  ]);
});
