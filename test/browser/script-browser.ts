import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, chromium, type Page } from 'playwright-core'
import { bunPath } from '../../scripts/setup.mjs'

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Bundles a test file for browsers. */
export function bundle(entry: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'mimir-bundle-'))
  try {
    const file = join(folder, 'page.js')
    execFileSync(bunPath(), ['build', entry, '--target=browser', `--outfile=${file}`])
    return readFileSync(file, 'utf8')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A separate browser whose profile is deleted when it closes. */
export class Browser implements AsyncDisposable {
  readonly #profile: string
  readonly #context: BrowserContext
  readonly page: Page

  private constructor(profile: string, context: BrowserContext, page: Page) {
    this.#profile = profile
    this.#context = context
    this.page = page
  }

  /** Opens a page that runs the script, as if served from the origin. */
  static async open(program: string, origin: string, script: string): Promise<Browser> {
    const profile = mkdtempSync(join(tmpdir(), 'mimir-browser-'))
    const options = { executablePath: program, headless: true, args: FLAGS }
    const context = await chromium.launchPersistentContext(profile, options)
    const page = await context.newPage()
    const address = new URL('/test-page', origin).href
    const html = '<!doctype html><script type="module" src="/test-page.js"></script>'
    await page.route(address, (route) => route.fulfill({ contentType: 'text/html', body: html }))
    await page.route(`${address}.js`, (route) =>
      route.fulfill({ contentType: 'text/javascript', body: script }),
    )
    await page.goto(address)
    await page.waitForFunction(() => 'mls' in globalThis)
    return new Browser(profile, context, page)
  }

  /** Reloads like a person: the page's memory is lost, its storage is not. */
  async reload(): Promise<void> {
    await this.page.reload()
    await this.page.waitForFunction(() => 'mls' in globalThis)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close()
    rmSync(this.#profile, { recursive: true, force: true })
  }
}
