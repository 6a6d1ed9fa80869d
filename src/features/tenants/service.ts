import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import type { TenantRow } from '../../db/tables.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import type { Actor } from '../../policy/actor.ts'
import { DEFAULT_TENANT } from '../../policy/tenant-id.ts'
import type { AuditEntry } from '../audit/schema.ts'
import { recordAudit } from '../audit/service.ts'
import { placesOf } from './access.ts'
import { toDefaultTenant, toTenant } from './compose.ts'
import { tenantErrors } from './errors.ts'
import type { ChangeTenant, CreateTenant, Tenant, TenantId, TenantWithHoldings } from './schema.ts'
import { describeHoldings, makeDirectory, removeHoldings, requireFreeDirectory } from './storage.ts'
import {
  deleteTenantRow,
  findTenantRow,
  insertTenant,
  listTenantRows,
  updateTenant,
} from './store.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'config' | 'tenants'>

/** All tenants, the default one first. */
export async function listTenants(ctx: Needs): Promise<Tenant[]> {
  requireDefault(ctx)
  const rows = await listTenantRows(ctx.db.read)
  return [toDefaultTenant(ctx), ...rows.map((row) => toTenant(ctx, row))]
}

export async function showTenant(
  ctx: Needs,
  _actor: Actor,
  { id }: TenantId,
): Promise<TenantWithHoldings> {
  requireDefault(ctx)
  const tenant =
    id === DEFAULT_TENANT ? toDefaultTenant(ctx) : toTenant(ctx, await requireRow(ctx, id))
  return { ...tenant, ...describeHoldings(ctx.config, id) }
}

/** Creates a tenant and starts serving it. It has no users yet. */
export async function createTenant(ctx: Needs, actor: Actor, input: CreateTenant): Promise<Tenant> {
  requireDefault(ctx)
  const { id, name = null, hosts, claims } = input
  if (id === DEFAULT_TENANT) throw new AppError(tenantErrors.exists)
  const now = toIso(ctx.clock.now())
  await ctx.db.transaction(async (tx) => {
    if (await findTenantRow(tx, id)) throw new AppError(tenantErrors.exists)
    requireFreeDirectory(ctx.config, id)
    await requireFreePlaces(ctx, tx, id, { hosts, claims })
    const row = { id, name, ...spell({ hosts, claims }), created_at: now, updated_at: now }
    await insertTenant(tx, { ...row, disabled_at: null })
    await record(ctx, tx, actor, 'tenant.created', id)
  })
  makeDirectory(ctx.config, id, hosts[0])
  return settled(ctx, id)
}

/** Changes the tenant's name, hosts or claims. */
export async function changeTenant(ctx: Needs, actor: Actor, input: ChangeTenant): Promise<Tenant> {
  requireDefault(ctx)
  const { id, name } = input
  await ctx.db.transaction(async (tx) => {
    const row = await requireRow(ctx, id, tx)
    const places = placesOf(row)
    const { hosts = places.hosts, claims = places.claims } = input
    await requireFreePlaces(ctx, tx, id, { hosts, claims })
    const change = { ...spell({ hosts, claims }), ...(name === undefined ? {} : { name }) }
    await updateTenant(tx, id, { ...change, updated_at: toIso(ctx.clock.now()) })
    await record(ctx, tx, actor, 'tenant.changed', id)
  })
  return settled(ctx, id)
}

/** Stops serving it: its connections end, its requests are refused, its data stays. */
export function disableTenant(ctx: Needs, actor: Actor, { id }: TenantId): Promise<Tenant> {
  return turn(ctx, actor, id, 'tenant.disabled')
}

export function enableTenant(ctx: Needs, actor: Actor, { id }: TenantId): Promise<Tenant> {
  return turn(ctx, actor, id, 'tenant.enabled')
}

/** Deletes a disabled tenant with all its data. */
export async function deleteTenant(
  ctx: Needs,
  actor: Actor,
  { id }: TenantId,
): Promise<TenantWithHoldings> {
  const tenant = await showTenant(ctx, actor, { id })
  if (tenant.disabledAt === null) throw new AppError(tenantErrors.stillEnabled)
  await removeHoldings(ctx, id)
  await ctx.db.transaction(async (tx) => {
    await deleteTenantRow(tx, id)
    await record(ctx, tx, actor, 'tenant.deleted', id)
  })
  await ctx.tenants.settle()
  return tenant
}

async function turn(
  ctx: Needs,
  actor: Actor,
  id: string,
  type: 'tenant.disabled' | 'tenant.enabled',
): Promise<Tenant> {
  requireDefault(ctx)
  await ctx.db.transaction(async (tx) => {
    const row = await requireRow(ctx, id, tx)
    const disable = type === 'tenant.disabled'
    if ((row.disabled_at !== null) === disable) return
    const now = toIso(ctx.clock.now())
    await updateTenant(tx, id, { disabled_at: disable ? now : null, updated_at: now })
    await record(ctx, tx, actor, type, id)
  })
  return settled(ctx, id)
}

async function settled(ctx: Needs, id: string): Promise<Tenant> {
  await ctx.tenants.settle()
  return toTenant(ctx, await requireRow(ctx, id))
}

function requireDefault({ config }: Pick<Ctx, 'config'>): void {
  if (config.tenancy === undefined) throw new AppError(tenantErrors.off)
  if (config.tenantId !== DEFAULT_TENANT) throw new AppError(tenantErrors.notHere)
}

async function requireRow(ctx: Pick<Ctx, 'db'>, id: string, tx?: Tx): Promise<TenantRow> {
  const row = await findTenantRow(tx ?? ctx.db.read, id)
  if (!row) throw new AppError(tenantErrors.notFound)
  return row
}

interface Places {
  readonly hosts: readonly string[]
  readonly claims: readonly string[]
}

/** Ensures that no host or claim leads to more than one tenant. */
async function requireFreePlaces(ctx: Needs, tx: Tx, id: string, places: Places): Promise<void> {
  const others = (await listTenantRows(tx)).filter((row) => row.id !== id)
  const taken = others.map(placesOf)
  const hosts = [...taken.flatMap((one) => one.hosts), ...toDefaultTenant(ctx).hosts]
  const host = places.hosts.find((one) => hosts.includes(one))
  if (host !== undefined) throw new AppError(tenantErrors.hostTaken, { host })
  const names = [
    DEFAULT_TENANT,
    ...others.map((row) => row.id),
    ...taken.flatMap((one) => one.claims),
  ]
  const claim = [id, ...places.claims].find((one) => names.includes(one))
  if (claim !== undefined) throw new AppError(tenantErrors.claimTaken, { claim })
}

function spell({ hosts, claims }: Places) {
  const list = (texts: readonly string[]) => JSON.stringify([...new Set(texts)])
  return { hosts: list(hosts), claims: list(claims) }
}

function record(ctx: Needs, tx: Tx, actor: Actor, type: AuditEntry['type'], id: string) {
  return recordAudit(ctx, tx, actor, { type, target: { type: 'tenant', id } })
}
