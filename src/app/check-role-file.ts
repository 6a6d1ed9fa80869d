import type { Config } from '../config/config.ts'
import { loadRoleTable } from '../features/roles/load.ts'

/** Reads what `MIMIR_RBAC_CONFIG` names, as a start would. Throws a `ConfigError`. */
export async function checkRoleFile(config: Config): Promise<void> {
  await loadRoleTable(config)
}
