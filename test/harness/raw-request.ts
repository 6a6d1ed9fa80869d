import { request } from 'node:http'
import type { Reply } from './rest.ts'

/** A request with exactly these headers, even ones that `fetch` sets itself (`Sec-Fetch-…`). */
export function rawRequest(
  url: string,
  { method = 'GET', headers = {} }: { method?: string; headers?: Record<string, string> },
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers, agent: false }, (answer) => {
      const parts: Buffer[] = []
      answer.on('data', (part: Buffer) => parts.push(part))
      answer.on('end', () => {
        const text = Buffer.concat(parts).toString()
        const found = new Headers()
        for (const [name, value] of Object.entries(answer.headers)) found.set(name, String(value))
        const isJson = found.get('content-type')?.includes('json')
        const body = isJson ? JSON.parse(text) : text
        resolve({ status: answer.statusCode ?? 0, headers: found, body })
      })
    })
    outgoing.on('error', reject)
    outgoing.end(method === 'POST' ? '{}' : undefined)
  })
}
