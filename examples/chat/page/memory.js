// What this tab remembers when its page is loaded again: the user's name, the place in every room, and what was shown.
// The server keeps no history: it brings what was missed meanwhile.
const KEY = 'snowmesh-chat';

/** @returns {{ name?: string, room?: string, state?: string, logs?: Record<string, object[]> }} */
export function remember() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}

export function keep(memory) {
  sessionStorage.setItem(KEY, JSON.stringify(memory));
}

export function forget() {
  sessionStorage.removeItem(KEY);
}
