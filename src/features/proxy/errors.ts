import { defineErrors } from '../../platform/errors.ts'

export const proxyErrors = defineErrors({
  noPublicUrl: {
    code: 'public_url_not_set',
    kind: 'conflict',
    message: 'A proxy needs the public address: set MIMIR_PUBLIC_URL to it.',
  },
  noFixedPort: {
    code: 'no_fixed_port',
    kind: 'conflict',
    message: 'The server uses any free port: set MIMIR_LISTEN to a fixed port for the proxy.',
  },
})
