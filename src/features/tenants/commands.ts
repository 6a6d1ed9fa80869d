import { z } from 'zod'
import { defineCommand } from '../../control/define-command.ts'
import { ChangeTenant, CreateTenant, TenantId } from './schema.ts'
import {
  changeTenant,
  createTenant,
  deleteTenant,
  disableTenant,
  enableTenant,
  listTenants,
  showTenant,
} from './service.ts'

const createTenantCommand = defineCommand({
  name: 'tenant.create',
  input: CreateTenant,
  run: createTenant,
})

const listTenantsCommand = defineCommand({
  name: 'tenant.list',
  input: z.object({}),
  run: listTenants,
})

const showTenantCommand = defineCommand({
  name: 'tenant.show',
  input: TenantId,
  run: showTenant,
})

const changeTenantCommand = defineCommand({
  name: 'tenant.change',
  input: ChangeTenant,
  run: changeTenant,
})

const disableTenantCommand = defineCommand({
  name: 'tenant.disable',
  input: TenantId,
  run: disableTenant,
})

const enableTenantCommand = defineCommand({
  name: 'tenant.enable',
  input: TenantId,
  run: enableTenant,
})

const deleteTenantCommand = defineCommand({
  name: 'tenant.delete',
  input: TenantId,
  run: deleteTenant,
})

export const commands = [
  createTenantCommand,
  listTenantsCommand,
  showTenantCommand,
  changeTenantCommand,
  disableTenantCommand,
  enableTenantCommand,
  deleteTenantCommand,
]
