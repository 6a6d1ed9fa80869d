import { createKey } from '../src/features/api-keys/service.ts'
import { addNodes } from '../src/features/nodes/write.ts'
import { contentsOf } from './node-contents.ts'
import { createUser, openAppliance } from './seed-appliance.ts'

export interface GrowNodesPlan {
  /** A new data directory. */
  readonly dataDir: string
  readonly nodes: number
}

export interface GrownNodes {
  readonly seconds: number
  /** An API key of the owner. */
  readonly apiKey: string
}

/** The largest batch `memory_batch` accepts. */
const BATCH = 200
/** Concurrent calls, which SQLite commits together. */
const TOGETHER = 10

/** Creates a user with that many nodes, all through the use case. */
export async function growNodes({ dataDir, nodes }: GrowNodesPlan): Promise<GrownNodes> {
  const app = await openAppliance(dataDir)
  try {
    const { ctx } = app
    const owner = await createUser(ctx, 'keeper')
    const scopes = ['nodes:read', 'mcp:read']
    const { key } = await createKey(ctx, owner, { name: 'bench', scopes })
    const startedAt = performance.now()
    const all = [...contentsOf(nodes)]
    for (let made = 0; made < nodes; made += TOGETHER * BATCH) {
      const batches = Array.from({ length: TOGETHER }, (_, index) => {
        const start = made + index * BATCH
        return all.slice(start, start + BATCH)
      })
      const adding = batches.filter((batch) => batch.length > 0)
      await Promise.all(adding.map((batch) => addNodes(ctx, owner, batch)))
    }
    return { seconds: (performance.now() - startedAt) / 1000, apiKey: key }
  } finally {
    await app.close()
  }
}
