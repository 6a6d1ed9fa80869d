import type { Ctx } from '../../context.ts'

type Config = Pick<Ctx['config'], 'publicUrl'>

/** The issuer identifier (RFC 8414 §2): the public URL itself. */
export function issuerOf({ publicUrl }: Config): string {
  return publicUrl
}

/** The only resource that its tokens are valid for (RFC 8707). */
export function resourceOf({ publicUrl }: Config): string {
  return `${publicUrl}/mcp`
}

/** Whether a resource named by a client is ours, however it spells the URL. */
export function isOurResource(config: Config, named: string): boolean {
  return URL.parse(named)?.href === new URL(resourceOf(config)).href
}
