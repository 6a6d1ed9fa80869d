import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startSso } from '../harness/sso.ts'
import { WebBrowser } from '../harness/web-browser.ts'

const ANNA = { email: 'anna@example.org', email_verified: true, preferred_username: 'anna' }

test('somebody of an admitted domain signs in with the provider and stays signed in', async () => {
  await using sso = await startSso()
  sso.idp.people.set('anna', ANNA)
  const browser = new WebBrowser()
  const page = await sso.signIn(browser, 'anna')
  console.log(page.status, page.url, page.text.slice(0, 600), browser.hops)
  assert.equal(page.status, 200)
})
