import { z } from 'zod'
import { limit, NodeQuery } from '../schema.ts'

/** Input of operations that list, page by page. */
export const paging = (usual: number) => ({
  limit: limit(usual),
  cursor: NodeQuery.shape.cursor.describe('nextCursor of the previous response'),
})

/** Their output. */
export const Paged = {
  nextCursor: z.string().optional().describe('there may be more: ask again with this as cursor'),
}

/** The cursor in the form of the output: absent at the end. */
export function continued(nextCursor: string | null): { nextCursor?: string } {
  return nextCursor === null ? {} : { nextCursor }
}
