import type { Config } from '../config/config.ts'
import { loadRuntime } from '../runtime/index.ts'
import type { Listener } from '../runtime/runtime.ts'
import type { CleanUp } from './clean-up.ts'
import type { Doors } from './doors.ts'

/**
 * Listens and serves through the doors. Registers with `cleanUp`: stop accepting, shut the doors, close
 * open connections.
 */
export async function listen(config: Config, cleanUp: CleanUp, doors: Doors): Promise<Listener> {
  const { host, port } = config.listen
  const runtime = await loadRuntime()
  const listener = await runtime.serve({ host, port, ...doors })
  cleanUp.defer(() => listener.close())
  cleanUp.defer(() => doors.shut())
  cleanUp.defer(() => listener.stopAccepting())
  return listener
}
