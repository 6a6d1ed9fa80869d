import type { Config } from '../config/config.ts'
import { loadRoleTable } from '../features/roles/load.ts'

/** Loads the file that `MIMIR_RBAC_CONFIG` names, as a start would. Throws a `ConfigError` if invalid. */
export async function checkRoleFile(config: Config): Promise<void> {
  await loadRoleTable(config)
}
