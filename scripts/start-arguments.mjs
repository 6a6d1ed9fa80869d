/**
 * Returns the server's arguments from what npm passes on. Of `npm start --listen HOST:PORT`, without
 * `--` in between, npm swallows the flag and passes on only its value.
 */
export function startArguments(given) {
  const [first, ...more] = given
  const isAddress = more.length === 0 && /^\S+:\d{1,5}$/.test(first ?? '')
  return isAddress ? ['--listen', first] : given
}
