import type { z } from 'zod'
import type { Ctx } from '../../context.ts'
import type { Db, Tx } from '../../db/database.ts'
import type { UserRow } from '../../db/tables.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import type { Actor } from '../../policy/actor.ts'
import type { Permission } from '../../policy/permissions.ts'
import { findAccountById } from '../accounts/access.ts'
import { accountErrors } from '../accounts/errors.ts'
import { approve, reject } from '../admin/service.ts'
import {
  CreateInvitation,
  INVITATION_DAYS_DEFAULT,
  type Invitation,
  InvitationId,
} from '../invites/schema.ts'
import { addInvitation, endInvitation, getInvitations } from '../invites/service.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'bus' | 'config' | 'mailer'>

/** The result of a change. */
export interface Done {
  /** Ids for the requesting program. */
  readonly outcome: Readonly<Record<string, string>>
  /** Text for the administrator, which may contain secrets. */
  readonly told: string
}

interface ChangeSpec<S extends z.ZodObject> {
  readonly permission: Permission
  readonly input: S
  /** One sentence for the approver; throws if the change is impossible anyway. */
  describe(ctx: Needs, actor: Actor, input: z.output<S>): Promise<string>
  /** Performs the change, in the transaction that marks it as done. */
  perform(ctx: Needs, tx: Tx, actor: Actor, input: z.output<S>): Promise<Done>
}

/** A change that programs may request; its input is checked each time it is read. */
export interface ChangeKind {
  readonly permission: Permission
  readonly input: z.ZodObject
  describe(ctx: Needs, actor: Actor, input: unknown): Promise<string>
  perform(ctx: Needs, tx: Tx, actor: Actor, input: unknown): Promise<Done>
}

function kind<S extends z.ZodObject>(spec: ChangeSpec<S>): ChangeKind {
  const { permission, input: schema } = spec
  return {
    permission,
    input: schema,
    describe: async (ctx, actor, input) => spec.describe(ctx, actor, schema.parse(input)),
    perform: async (ctx, tx, actor, input) => spec.perform(ctx, tx, actor, schema.parse(input)),
  }
}

/** All kinds of changes, by the name that is stored with a pending one. */
export const CHANGE_KINDS = {
  'invitation.create': kind({
    permission: 'invites:write',
    input: CreateInvitation,
    describe: async (_ctx, _actor, { note, expiryDays }) =>
      `create an invitation for one person, valid for ${expiryDays ?? INVITATION_DAYS_DEFAULT} days` +
      (note ? `, with the note ${quote(note)}` : ''),
    perform: async (ctx, tx, actor, input) => {
      const { id, token, expiresAt } = await addInvitation(ctx, tx, actor, input)
      return {
        outcome: { invitationId: id, expiresAt },
        told: `the invitation is ${ctx.config.publicUrl}/join/${token}`,
      }
    },
  }),
  'invitation.revoke': kind({
    permission: 'invites:write',
    input: InvitationId,
    describe: async (ctx, actor, { id }) => {
      const { note, createdAt } = await requireInvitation(ctx, actor, id)
      return `revoke the invitation of ${createdAt}${note ? ` with the note ${quote(note)}` : ''}`
    },
    perform: async (ctx, tx, actor, input) => {
      await endInvitation(ctx, tx, actor, input)
      return { outcome: { invitationId: input.id }, told: 'the invitation was revoked' }
    },
  }),
  'account.approve': decision('approve', approve),
  'account.reject': decision('reject', reject),
} satisfies Record<string, ChangeKind>

export type ChangeName = keyof typeof CHANGE_KINDS

function decision(verb: string, decide: typeof approve): ChangeKind {
  return kind({
    permission: 'users:write',
    input: InvitationId,
    describe: async (ctx, actor, { id }) =>
      `${verb} ${nameOf(await requireWaiting(ctx.db.read, actor, id))}`,
    perform: async (ctx, tx, actor, { id }) => {
      const user = await requireWaiting(tx, actor, id)
      await decide(ctx, tx, actor, user)
      return { outcome: { userId: id }, told: `${verb}: ${nameOf(user)}` }
    },
  })
}

async function requireWaiting(db: Db, { tenantId }: Actor, id: string): Promise<UserRow> {
  const user = await findAccountById(db, tenantId, id)
  if (!user) throw new AppError(commonErrors.notFound)
  if (user.status !== 'PendingAdmin') throw new AppError(accountErrors.userNotPending)
  return user
}

async function requireInvitation(ctx: Needs, actor: Actor, id: string): Promise<Invitation> {
  const found = (await getInvitations(ctx, actor)).find((one) => one.id === id)
  if (found?.status !== 'Active') throw new AppError(commonErrors.notFound)
  return found
}

function nameOf({ username, email }: UserRow): string {
  return email === null ? username : `${username} (${quote(email)})`
}

/** Text from others in quotation marks, which it can neither close nor change the direction of. */
function quote(text: string): string {
  return `“${text.replace(/[\p{Cf}\p{Cc}\p{Zl}\p{Zp}]/gu, '').replace(/[“”"]/g, "'")}”`
}
