import type { Site } from './site.ts'

/** A file of Traefik's dynamic configuration (version 3, file provider). */
export function writeTraefik({
  publicUrl,
  host,
  prefix,
  wellKnown,
  secure,
  port,
  upstream,
}: Site): string {
  const paths = `Path(\`${prefix}\`) || PathPrefix(\`${prefix}/\`) || PathRegexp(\`${wellKnown}\`)`
  const path = prefix === '' ? '' : ` && (${paths})`
  const entryPoint = secure ? 'websecure' : 'web'
  return `${[
    `# Traefik for Mimir at ${publicUrl}: a file in the file provider's directory`,
    '# Set MIMIR_PUBLIC_URL and MIMIR_TRUSTED_PROXIES=127.0.0.1,::1 in Mimir too.',
    `# The static configuration needs the entry point ${entryPoint} on port ${port}, with`,
    '# transport.respondingTimeouts.readTimeout: 0, since uploads may take longer than a minute.',
    'http:',
    '  routers:',
    '    mimir:',
    `      rule: "Host(\`${host}\`)${path}"`,
    `      entryPoints: [${entryPoint}]`,
    '      service: mimir',
    ...(secure ? ['      tls:', '        certResolver: letsencrypt'] : []),
    '  services:',
    '    mimir:',
    '      loadBalancer:',
    '        servers:',
    `          - url: "http://${upstream}"`,
  ].join('\n')}\n`
}
