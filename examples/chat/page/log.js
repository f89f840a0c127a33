// The messages of one room, as the page shows them.
import { avatar, element, nodeBadge } from './view.js';

/** Messages that are shown; older ones go. */
const MAX_LINES = 200;

export class Log {
  /** What is shown, as plain values. */
  entries = [];
  /** The article of each message, by the id that its page gave it. */
  #articles = new Map();
  #wasAtEnd = true;

  /** @param {string} me the user's own name. @param {object[]} entries what an earlier page showed. */
  constructor(room, me, entries = []) {
    this.me = me;
    // A log speaks: screen readers say what is added. It can be scrolled with the keyboard, so it takes the focus.
    this.element = element('div', {
      className: 'log',
      role: 'log',
      tabIndex: 0,
      ariaLabel: `Messages in ${room}`,
      hidden: true,
    });
    for (const entry of entries) this.#show(entry);
    // Whoever sees the last message still sees it when the window has another size.
    new ResizeObserver(() => this.#wasAtEnd && this.toEnd()).observe(this.element);
    this.element.addEventListener('scroll', () => (this.#wasAtEnd = this.#isAtEnd));
  }

  /** The user has sent a message. It is shown at once, and marked until the server has taken it. */
  sent(message) {
    this.#show({ ...message, isWaiting: true });
    this.toEnd();
  }

  /** A message has come: of somebody else, or our own one that is back from the server. */
  came(message) {
    const isAtEnd = this.#isAtEnd;
    if (this.#articles.has(message.id)) this.#confirm(message);
    else this.#show(message);
    if (isAtEnd) this.toEnd();
  }

  /** A line that nobody said. */
  note(text) {
    const isAtEnd = this.#isAtEnd;
    this.#show({ note: text });
    if (isAtEnd) this.toEnd();
  }

  toEnd() {
    this.element.scrollTop = this.element.scrollHeight;
  }

  /** Scrolled down, or nearly. Who reads further up is left there. */
  get #isAtEnd() {
    const { scrollTop, scrollHeight, clientHeight } = this.element;
    return scrollHeight - scrollTop - clientHeight < 80;
  }

  #show(entry) {
    const before = this.entries.at(-1);
    this.entries.push(entry);
    if (entry.note !== undefined) {
      this.element.append(element('p', { className: 'note' }, entry.note));
    } else {
      const article = this.#article(entry);
      if (before?.from === entry.from && before.node === entry.node) article.classList.add('follows');
      this.#articles.set(entry.id, article);
      this.element.append(article);
    }
    if (this.entries.length <= MAX_LINES) return;
    this.#articles.delete(this.entries.shift().id);
    this.element.firstElementChild.remove();
  }

  /** The server has taken our message: what it says of it is final. */
  #confirm(message) {
    const article = this.#articles.get(message.id);
    const isFollowing = article.classList.contains('follows');
    const confirmed = this.#article(message);
    confirmed.classList.toggle('follows', isFollowing);
    article.replaceWith(confirmed);
    this.#articles.set(message.id, confirmed);
    const index = this.entries.findIndex(({ id }) => id === message.id);
    this.entries[index] = message;
  }

  #article({ id, from, node, text, at, isWaiting = false }) {
    const isOwn = from === this.me;
    const when = new Date(at);
    const head = element(
      'header',
      {},
      element('b', {}, isOwn ? 'You' : from),
      nodeBadge(node),
      element(
        'time',
        { dateTime: when.toISOString() },
        when.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' }),
      ),
    );
    const article = element('article', { className: 'message' }, avatar(from), head, element('p', {}, text));
    article.dataset.id = id;
    article.classList.toggle('own', isOwn);
    article.classList.toggle('waiting', isWaiting);
    if (isWaiting) article.append(element('span', { className: 'mark' }, 'waits for the server'));
    return article;
  }
}
