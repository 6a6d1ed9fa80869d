import type { Config } from '../config/config.ts'
import { loadRuntime } from '../runtime/index.ts'
import type { Listener } from '../runtime/runtime.ts'
import type { CleanUp } from './clean-up.ts'
import type { Endpoints } from './endpoints.ts'

/**
 * Listens and serves through the endpoints. Registers with `cleanUp`: stop accepting, shut the endpoints, close
 * open connections.
 */
export async function listen(
  config: Config,
  cleanUp: CleanUp,
  endpoints: Endpoints,
): Promise<Listener> {
  const { host, port } = config.listen
  const runtime = await loadRuntime()
  const listener = await runtime.serve({ host, port, ...endpoints })
  cleanUp.defer(() => listener.close())
  cleanUp.defer(() => endpoints.close())
  cleanUp.defer(() => listener.stopAccepting())
  return listener
}
