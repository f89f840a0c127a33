/** Text that can be compressed as chat can: that of benches/rooms/orders.ts. */
export function fillerOf(length) {
  const words = ['rooms', 'share', 'what', 'their', 'members', 'say', 'over', 'all', 'nodes'];
  let text = '';
  for (let number = 0; text.length < length; number++)
    text += `${words[(number * 7 + (number >> 3)) % words.length]} ${number} `;
  return text.slice(0, Math.max(0, length));
}
