import type { Site } from './site.ts'

/** A block of a Caddyfile. Caddy sets X-Forwarded-For itself, and discards what clients send. */
export function writeCaddy({ publicUrl, prefix, wellKnown, upstream }: Site): string {
  const address = new URL(publicUrl).origin
  const proxy = (indent: string) => `${indent}reverse_proxy ${upstream}`
  return `${[
    `# Caddy for Mimir at ${publicUrl}: a block of /etc/caddy/Caddyfile`,
    '# Mimir itself needs MIMIR_PUBLIC_URL and MIMIR_TRUSTED_PROXIES=127.0.0.1,::1 for this.',
    `${address} {`,
    ...(prefix === ''
      ? [proxy('\t')]
      : [
          `\tredir ${prefix} ${prefix}/ 308`,
          `\t# The path stays as it is: handle, not handle_path.`,
          `\thandle ${prefix}/* {`,
          proxy('\t\t'),
          '\t}',
          '\t# Where AI clients learn how to get in: such addresses have the path at their end.',
          `\t@metadata path_regexp ${wellKnown}`,
          '\thandle @metadata {',
          proxy('\t\t'),
          '\t}',
        ]),
    '}',
  ].join('\n')}\n`
}
