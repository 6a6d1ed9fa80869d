/**
 * The server's arguments from what npm left of the command line: of `npm start --listen HOST:PORT`,
 * without `--` in between, npm keeps the flag to itself and hands its value on.
 */
export function startArguments(given) {
  const [first, ...more] = given
  const isAddress = more.length === 0 && /^\S+:\d{1,5}$/.test(first ?? '')
  return isAddress ? ['--listen', first] : given
}
