import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { reasonOf } from '../platform/errors.ts'
import { isLoopback } from './loopback.ts'

/** Firebase Cloud Messaging as set in the service account's file; its key is kept among the secrets. */
export interface FirebaseConfig {
  readonly projectId: string
  readonly clientEmail: string
  readonly tokenUri: string
  /** Without a trailing slash. */
  readonly endpoint: string
}

const GOOGLE_ENDPOINT = 'https://fcm.googleapis.com'

const ServiceAccount = z.object({
  type: z.literal('service_account', 'is no service account'),
  project_id: z.string().min(1),
  client_email: z.email(),
  private_key: z.string().includes('PRIVATE KEY', 'has no private key'),
  token_uri: z.url({ protocol: /^https?$/ }).default('https://oauth2.googleapis.com/token'),
})

/** Reads the file that FIREBASE_SERVICE_ACCOUNT_PATH names; errors are added to `problems`. */
export function readFirebase(
  path: string | undefined,
  endpoint: string | undefined,
  problems: string[],
): { account: FirebaseConfig; privateKey: string } | undefined {
  if (endpoint !== undefined && !isLoopback(new URL(endpoint).hostname)) {
    problems.push('MIMIR_FCM_ENDPOINT: only for tests, on this machine: http://127.0.0.1:PORT')
    return undefined
  }
  if (path === undefined) return undefined
  const wrong = (why: string) => {
    problems.push(`FIREBASE_SERVICE_ACCOUNT_PATH: ${path} ${why}`)
    return undefined
  }
  let content: unknown
  try {
    content = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    // The parser's message quotes the input, which may be the key.
    return wrong(
      error instanceof SyntaxError ? 'is not JSON' : `cannot be read (${reasonOf(error)})`,
    )
  }
  const account = ServiceAccount.safeParse(content)
  if (!account.success) {
    const [issue] = account.error.issues
    return wrong(
      `is not a service account's key file (${issue?.path.join('.')}: ${issue?.message})`,
    )
  }
  const { project_id, client_email, token_uri, private_key } = account.data
  return {
    account: {
      projectId: project_id,
      clientEmail: client_email,
      tokenUri: token_uri,
      endpoint: (endpoint ?? GOOGLE_ENDPOINT).replace(/\/+$/, ''),
    },
    privateKey: private_key,
  }
}

/** The contact for push services to report problems to: the setting, or the postmaster of the public host. */
export function vapidSubject(setting: string | undefined, publicUrl: string): string {
  return setting ?? `mailto:postmaster@${new URL(publicUrl).hostname}`
}
