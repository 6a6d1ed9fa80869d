/**
 * For `$call` in a query: adds a condition if the value is given.
 *
 *     .$call(whenGiven(before, (query, before) => query.where('id', '<', before)))
 */
export function whenGiven<Query, Value>(
  value: Value | undefined,
  add: (query: Query, value: Value) => Query,
): (query: Query) => Query {
  return (query) => (value === undefined ? query : add(query, value))
}
