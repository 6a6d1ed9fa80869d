import type { Ctx } from '../../context.ts'
import { parseTarget } from '../../outbound/address-rules.ts'
import { OutboundError } from '../../outbound/guarded-fetch.ts'
import { AppError } from '../../platform/errors.ts'
import { nameOf } from './client-name.ts'
import { oauthErrors } from './errors.ts'
import { isUsableRedirect } from './redirect-uri.ts'
import { isRegistrationId, openRegistration } from './registration.ts'
import { ClientDocument } from './schema.ts'

/** A client that requests access. All clients are public: none has a secret. */
export interface Client {
  readonly id: string
  readonly name: string
  /** The host that vouches for the name; undefined if only the client claims it. */
  readonly host: string | undefined
  readonly redirectUris: readonly string[]
}

type Needs = Pick<Ctx, 'keyring' | 'config' | 'clientDocuments'>

/** The client with this id; throws if there is none. May fetch it from the client's own server. */
export async function findClient(ctx: Needs, id: string): Promise<Client> {
  if (!isRegistrationId(id)) return fromDocument(ctx, id)
  const registration = openRegistration(ctx, id)
  if (!registration) throw new AppError(oauthErrors.invalidClient)
  const { name, redirectUris } = registration
  return { id, name: name || hostsOf(redirectUris), host: undefined, redirectUris }
}

/** The id is the URL of the client's metadata (OAuth Client ID Metadata Document). */
async function fromDocument(ctx: Needs, id: string): Promise<Client> {
  const url = documentAddress(ctx.config, id)
  if (!url) throw new AppError(oauthErrors.invalidClient)
  const parsed = ClientDocument.safeParse(await load(ctx, id))
  // The document must name its own URL: otherwise it could be passed off as another client's.
  if (!parsed.success || parsed.data.client_id !== id) {
    throw new AppError(oauthErrors.invalidClientMetadata)
  }
  const { client_name, redirect_uris: redirectUris } = parsed.data
  if (!redirectUris.every(isUsableRedirect)) throw new AppError(oauthErrors.invalidRedirect)
  const { host } = url
  return { id, name: nameOf(client_name) ?? host, host, redirectUris }
}

/** The URL, if it has the form of such ids (§3 of the draft): canonical, with a path. */
function documentAddress({ outboundAllow }: Ctx['config'], id: string): URL | undefined {
  const url = parseTarget(id, outboundAllow)
  const isPlain = url?.href === id && url.pathname !== '/' && url.hash === ''
  return isPlain ? url : undefined
}

async function load({ clientDocuments }: Needs, url: string): Promise<unknown> {
  try {
    return await clientDocuments.load(url)
  } catch (cause) {
    if (!(cause instanceof OutboundError)) throw cause
    throw new AppError(oauthErrors.clientUnreachable, {}, { cause })
  }
}

function hostsOf(uris: readonly string[]): string {
  const { hostname, protocol } = new URL(uris[0] as string)
  return hostname || protocol
}
