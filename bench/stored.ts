/** The contract clamps page sizes to 200. */
const PAGE = 200

interface StoredMessage {
  readonly id: string
  readonly createdAt: string
}

/** Counts a conversation's messages since an ISO time by paging back from the newest. */
async function countStored(
  origin: string,
  token: string,
  conversationId: string,
  since: string,
): Promise<number> {
  const seen = new Set<string>()
  let before = ''
  for (;;) {
    const url = `${origin}/api/messages/${conversationId}?limit=${PAGE}${before}`
    const response = await fetch(url, { headers: { Authorization: `Bearer ${token}` } })
    if (!response.ok) throw new Error(`GET messages: ${response.status} ${await response.text()}`)
    const page = (await response.json()) as StoredMessage[]
    const known = seen.size
    for (const { id, createdAt } of page) if (createdAt >= since) seen.add(id)
    const oldest = page[0]
    if (!oldest || oldest.createdAt < since || page.length < PAGE) return seen.size
    // A full page of nothing new would be requested again forever.
    if (seen.size === known) throw new Error(`paging of ${conversationId} does not advance`)
    before = `&beforeId=${oldest.id}`
  }
}

/** Throws unless each conversation holds exactly the messages that were sent and received since. */
export async function verifyStored(
  origin: string,
  since: string,
  conversations: readonly { conversationId: string; reader: string; completed: number }[],
): Promise<void> {
  for (const { conversationId, reader, completed } of conversations) {
    const stored = await countStored(origin, reader, conversationId, since)
    if (stored !== completed) {
      throw new Error(`${conversationId}: ${completed} messages completed, ${stored} stored`)
    }
  }
}
