import { z } from 'zod'

export const PROVIDER_TYPES = ['okta', 'auth0', 'azure', 'google', 'keycloak', 'generic'] as const
export type ProviderType = (typeof PROVIDER_TYPES)[number]

const text = z.string().trim().min(1).max(500)
const url = z.url({ protocol: /^https?$/, error: 'an http or https URL' })
const list = z.array(text).min(1)

/** Who is let in without an invitation: all conditions of a rule must hold; one matching rule is enough. */
const AdmitRule = z
  .strictObject({
    /** Domains of an e-mail address that the provider says is verified. */
    domain: list.or(text).optional(),
    /** Google: the Workspace domain in the `hd` claim. */
    hostedDomain: list.or(text).optional(),
    /** Azure: the `tid` claim; Auth0: the `org_id` claim. */
    tenant: list.or(text).optional(),
    /** A value at `claimPath`. */
    group: list.or(text).optional(),
    /** Everybody whom the provider knows; refused for a provider that anyone can join. */
    anyone: z.literal(true).optional(),
    admit: z.enum(['pending', 'active']),
  })
  .refine((rule) => Object.keys(rule).length > 1, 'names nobody')

const Client = z.strictObject({
  id: text,
  secret: text.optional(),
  /** A file that is read at start, instead of `secret`. */
  secretFile: text.optional(),
})

export const ProviderSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9-]{1,32}$/, 'a-z, 0-9 and -, at most 32'),
  type: z.enum(PROVIDER_TYPES),
  label: text.optional(),
  issuer: url.optional(),
  client: Client,
  scope: text.optional(),
  /** Dots lead into nested claims: `realm_access.roles`. */
  claimPath: text.optional(),
  /** Maps values at `claimPath` to roles. */
  roles: z.record(text, z.enum(['admin', 'member', 'guest'])).optional(),
  admit: z.array(AdmitRule).optional(),
  /** The tenant of this server that its people belong to. */
  tenant: z
    .string()
    .regex(/^[a-z0-9-]{1,64}$/)
    .optional(),
  audience: text.optional(),
  /** Values of `acr` that count as a second factor. */
  secondFactorAcr: list.optional(),
  /** Okta, Auth0. */
  domain: text.optional(),
  authorizationServer: text.optional(),
  /** Auth0: only this organisation. */
  organization: text.optional(),
  /** Azure: the directory. */
  tenantId: text.optional(),
  /** Google: only this Workspace domain. */
  hostedDomain: text.optional(),
  /** Keycloak. */
  serverUrl: url.optional(),
  realm: text.optional(),
  endpoints: z
    .strictObject({
      authorization: url.optional(),
      token: url.optional(),
      userinfo: url.optional(),
      jwks: url.optional(),
    })
    .optional(),
})
export type ProviderInput = z.output<typeof ProviderSchema>

export const ProviderList = z.array(ProviderSchema).min(1, 'names no provider').max(50)
