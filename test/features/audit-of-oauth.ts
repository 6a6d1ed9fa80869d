import type { Appliance } from '../harness/boot.ts'
import { AiClient, bootWithAddress, browserOf, CALLBACK } from '../harness/oauth.ts'
import { assertDone, type Reply } from '../harness/rest.ts'

type Act = (
  operation: string,
  type: string | undefined,
  reply: Promise<Reply>,
  on: Appliance,
  // biome-ignore lint/suspicious/noExplicitAny: each test knows the shape of the answer.
) => Promise<any>

/** Calls the routes that admit AI clients and shut them out. */
export async function walkOAuth(act: Act): Promise<void> {
  await using mimir = await bootWithAddress()
  const url = mimir.publicUrl
  const alice = await mimir.person('alice')
  const browser = await browserOf(url, alice)
  const cookie = `mimir_session=${browser.cookie(url, 'mimir_session')}`
  const type = { 'content-type': 'application/x-www-form-urlencoded' }
  const form = mimir.rest().with({ ...type, origin: url, cookie })
  const fields = (values: Record<string, string>) => new URLSearchParams(values).toString()

  const metadata = { client_name: 'A client', redirect_uris: [CALLBACK] }
  const registered = mimir.rest().post('/oauth/register', metadata)
  const { client_id } = await act('POST /oauth/register', undefined, registered, mimir)
  const client = new AiClient(url, client_id)
  const { search } = new URL(client.address())
  const yes = fields({ decision: 'allow', 'mcp:read': 'on' })
  const granted = form.send('POST', `/oauth/authorize${search}`, yes)
  await act('POST /oauth/authorize', 'oauth.granted', granted, mimir)
  const code = new URL((await granted).headers.get('location') ?? '').searchParams.get('code')
  const tokens = await act('POST /oauth/token', 'oauth.token_issued', client.redeem(code), mimir)
  const given = fields({ client_id, token: tokens.access_token })
  const revoked = form.send('POST', '/oauth/revoke', given)
  await act('POST /oauth/revoke', 'oauth.grant_revoked', revoked, mimir)

  for (const by of ['page', 'rest']) {
    await client.letIn(browser)
    const [{ id }] = assertDone(await alice.rest.get('/api/me/oauth-grants'))
    if (by === 'page') {
      const shut = form.send('POST', '/oauth/clients', fields({ id }))
      await act('POST /oauth/clients', 'oauth.grant_revoked', shut, mimir)
    } else {
      const shut = alice.rest.delete(`/api/me/oauth-grants/${id}`)
      await act('DELETE /api/me/oauth-grants/{id}', 'oauth.grant_revoked', shut, mimir)
    }
  }
}
