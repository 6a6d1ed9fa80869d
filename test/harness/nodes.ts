import type { Person } from './people.ts'
import { assertDone } from './rest.ts'

/** Creates a node. */
export async function add(
  who: Person,
  type: string,
  properties: object,
  id?: string,
  // biome-ignore lint/suspicious/noExplicitAny: each test knows the shape of the node.
): Promise<any> {
  const body = { type, properties, ...(id ? { id } : {}) }
  return assertDone(await who.rest.post('/api/nodes', body), 201).node
}

/** A page of the person's nodes. */
// biome-ignore lint/suspicious/noExplicitAny: each test knows the shape of the page.
export async function query(who: Person, body: object): Promise<any> {
  return assertDone(await who.rest.post('/api/nodes/query', body))
}

export const idsOf = (page: { nodes: { id: string }[] }) => page.nodes.map(({ id }) => id)
