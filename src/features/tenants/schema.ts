import { z } from 'zod'
import { line } from '../../platform/text.ts'
import { isTenantId } from '../../policy/tenant-id.ts'

const tenantId = z
  .string()
  .refine(isTenantId, 'lower-case letters and digits, with single hyphens in between')

/** A hostname without a port: a tenant answers on every port. */
const host = z
  .string()
  .toLowerCase()
  .regex(/^(?=.{1,253}$)([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])$/, 'a host without a port')

const claim = z.string().regex(/^[\x21-\x7e]{1,200}$/, 'up to 200 letters, digits and symbols')

export const TenantId = z.object({ id: tenantId })
export type TenantId = z.output<typeof TenantId>

export const CreateTenant = TenantId.extend({
  name: line(1, 100).optional(),
  hosts: z.array(host).max(20).default([]),
  claims: z.array(claim).max(20).default([]),
})
export type CreateTenant = z.output<typeof CreateTenant>

/** Omitted fields stay as they are. */
export const ChangeTenant = TenantId.extend({
  name: line(1, 100).optional(),
  hosts: z.array(host).max(20).optional(),
  claims: z.array(claim).max(20).optional(),
})
export type ChangeTenant = z.output<typeof ChangeTenant>

export interface Tenant {
  readonly id: string
  readonly name: string | null
  readonly hosts: readonly string[]
  /** What a header or a claim may call it, besides its id. */
  readonly claims: readonly string[]
  /** `stopped`: no server runs. */
  readonly state: 'serving' | 'disabled' | 'failed' | 'stopped'
  /** Why it failed. */
  readonly reason: string | null
  readonly createdAt: string | null
  readonly disabledAt: string | null
}

/** Includes where the tenant's data are. */
export interface TenantWithHoldings extends Tenant {
  readonly directory: string
  /** Size of the directory; does not count PostgreSQL's tables. */
  readonly bytes: number
  /** In PostgreSQL. */
  readonly databaseSchema: string | null
}
