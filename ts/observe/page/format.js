// Creates elements and formats figures.

/** The element with an id. */
export const $ = (id) => document.getElementById(id);
/** A new element. */
export const element = (name, className, ...children) => {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children.map((child) => child ?? ''));
  return made;
};
export const svg = (name, attributes = {}, ...children) => {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};

/**
 * Runs `update`, which may move or remove elements of `list`. The one that has the focus keeps it; if it is removed, the first of those that
 * are left gets it.
 */
export const keepFocus = (list, update) => {
  const focused = document.activeElement;
  const isWithin = list.contains(focused);
  update();
  if (!isWithin || document.activeElement === focused) return;
  const next = focused.isConnected ? focused : list.querySelector('button, [tabindex="0"]');
  (next ?? $('nodes').querySelector('button'))?.focus({ preventScroll: true });
};

export const bytes = (n) =>
  n < 1024
    ? `${Math.round(n)} B`
    : n < 1024 ** 2
      ? `${(n / 1024).toFixed(1)} KiB`
      : n < 1024 ** 3
        ? `${(n / 1024 ** 2).toFixed(1)} MiB`
        : `${(n / 1024 ** 3).toFixed(2)} GiB`;
export const count = (n) =>
  n < 10_000 ? String(Math.round(n)) : n < 1e6 ? `${(n / 1000).toFixed(1)}k` : `${(n / 1e6).toFixed(1)}M`;
/** A number of things in words. @param one The noun; its plural ends with s. */
export const amount = (n, one) => `${count(n)} ${one}${n === 1 ? '' : 's'}`;
export const age = (ms) => {
  const s = Math.floor(ms / 1000);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  return s < 86_400
    ? `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`
    : `${Math.floor(s / 86_400)} d`;
};
export const time = (at) => new Date(at).toLocaleTimeString([], { hourCycle: 'h23' });
