// Everything that is seen besides messages: status, nodes, rooms, people, dialogs. It knows nothing of the connection.

/** An element with properties and content. Text stays text: what people write is never read as HTML. */
export function element(tag, properties = {}, ...content) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...content);
  return made;
}

/** A circle with a letter, in a colour that belongs to the name. */
export function avatar(name) {
  const circle = element('span', { className: 'avatar', ariaHidden: 'true' }, [...name][0].toUpperCase());
  const hue = [...name].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 9973, 7) * 137.5;
  circle.style.setProperty('--hue', hue % 360);
  return circle;
}

export function nodeBadge(letter) {
  const badge = element('span', { className: 'badge' }, `node ${letter}`);
  badge.dataset.node = letter;
  return badge;
}

const $ = (selector) => document.querySelector(selector);
const [statusLine, typingLine, waitingLine] = ['#status', '#typing', '#waiting'].map($);
const [nodeList, roomList, peopleList] = ['#nodes', '#rooms', '#people ul'].map($);

/** @param {'connecting' | 'open' | 'waiting' | 'closed'} status of the client. @param {string} [node] where it is. */
export function showStatus(status, node) {
  const texts = {
    connecting: 'Connecting…',
    open: node === undefined ? 'Connected' : `Connected to node ${node}`,
    waiting: navigator.onLine ? 'Connection lost, trying again…' : 'You are offline',
    closed: 'Disconnected',
  };
  statusLine.dataset.status = status;
  statusLine.textContent = texts[status];
  $('#kill').disabled = status !== 'open';
}

/** @param {number} count messages that the server has not taken yet, while there is no connection. */
export function showWaiting(count) {
  waitingLine.textContent =
    count === 0
      ? ''
      : `${count} ${count === 1 ? 'message waits' : 'messages wait'} until there is a connection.`;
}

/** The nodes: which are up, and which one this page is connected to. Each is a link to a page of its own. */
export function showNodes(nodes, { here, up }) {
  nodeList.replaceChildren(
    ...nodes.map(({ letter, page }) => {
      const state = letter === here ? 'you' : up.includes(letter) ? 'up' : 'down';
      const link = element(
        'a',
        { href: page, target: '_blank', rel: 'noopener', title: `Open a page of node ${letter}` },
        element('span', { className: 'dot', ariaHidden: 'true' }),
        element('span', { className: 'word' }, 'node\u00a0'),
        `${letter} `,
        element('small', {}, state),
      );
      link.dataset.node = letter;
      link.dataset.state = state;
      return element('li', {}, link);
    }),
  );
  $('#kill').textContent = `Kill node ${here}`;
}

/** One button a room. @param {(room: string) => void} choose */
export function makeRooms(rooms, choose) {
  roomList.replaceChildren(
    ...rooms.map((room) => {
      const button = element(
        'button',
        { type: 'button' },
        element('span', { className: 'name' }, room),
        element('span', { className: 'unread' }),
        element('span', { className: 'count' }),
      );
      button.dataset.room = room;
      button.addEventListener('click', () => choose(room));
      return element('li', {}, button);
    }),
  );
}

const roomButton = (room) => roomList.querySelector(`[data-room="${room}"]`);

export function showRoom(room) {
  for (const button of roomList.querySelectorAll('button')) button.removeAttribute('aria-current');
  roomButton(room).setAttribute('aria-current', 'true');
  $('#title').textContent = room;
  $('#text').placeholder = `Message to ${room}`;
  document.title = `${room} – snowmesh chat`;
}

export function showUnread(room, count) {
  const badge = roomButton(room).querySelector('.unread');
  badge.replaceChildren(
    ...(count === 0 ? [] : [`${count}`, element('span', { className: 'unseen' }, ' new')]),
  );
}

export function showCount(room, count) {
  const words = element('span', { className: 'unseen' }, count === 1 ? ' person' : ' people');
  roomButton(room)
    .querySelector('.count')
    .replaceChildren(...(count === 0 ? [] : [`${count}`, words]));
}

/** @param {Map<string, { node: string, isTyping: boolean }[]>} presence of the room, as the client gives it. */
export function showPeople(presence, me) {
  const people = [...presence].sort(([a], [b]) => a.localeCompare(b));
  peopleList.replaceChildren(
    ...people.map(([name, metas]) => {
      const isTyping = metas.some((meta) => meta.isTyping);
      const places = [...new Set(metas.map(({ node }) => node))].sort();
      const text = element('span', { className: 'name' }, name, name === me ? ' (you)' : '');
      const item = element('li', {}, avatar(name), text, ...places.map(nodeBadge));
      if (metas.length > 1) text.append(element('small', {}, ` ${metas.length} pages`));
      if (isTyping && name !== me) item.append(element('span', { className: 'dots', title: 'is typing' }));
      item.dataset.name = name;
      return item;
    }),
  );
  $('#show-people').textContent = people.length === 1 ? '1 person' : `${people.length} people`;
  const typing = people.filter(([name, metas]) => name !== me && metas.some(({ isTyping }) => isTyping));
  const names = typing.map(([name]) => name);
  typingLine.textContent =
    names.length === 0 ? '' : `${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} typing…`;
}

/** On small screens people are behind a button. Escape puts them away. */
export function makePeoplePanel() {
  const [button, panel] = [$('#show-people'), $('#people')];
  const show = (isShown) => {
    panel.classList.toggle('shown', isShown);
    button.setAttribute('aria-expanded', String(isShown));
  };
  button.addEventListener('click', () => show(!panel.classList.contains('shown')));
  document.addEventListener('keydown', ({ key }) => {
    if (key !== 'Escape' || !panel.classList.contains('shown')) return;
    show(false);
    button.focus();
  });
}

/** Resolves with what the user wrote. The dialog cannot be left without. */
export function askName(proposal) {
  const dialog = $('#welcome');
  const input = dialog.querySelector('input');
  input.value = proposal;
  dialog.addEventListener('cancel', (event) => event.preventDefault());
  dialog.showModal();
  input.select();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(input.value.trim()), { once: true });
  });
}

/** Resolves with true when the user means it. */
export function askKill(node, pid) {
  const dialog = $('#sure');
  $('#sure-title').textContent = `Kill node ${node}, process ${pid}?`;
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'kill'), { once: true });
  });
}
