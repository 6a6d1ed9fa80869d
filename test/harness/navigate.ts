import { get } from 'node:http'

/** What a browser is told when a person opens the address; a script's `fetch` may not say that it is one. */
export function navigate(url: string): Promise<{ status: number; location?: string }> {
  const headers = { accept: 'text/html,*/*;q=0.8', 'sec-fetch-mode': 'navigate' }
  return new Promise((resolve, reject) => {
    get(url, { headers, agent: false }, (answer) => {
      answer.resume()
      const { location } = answer.headers
      resolve({ status: answer.statusCode ?? 0, ...(location ? { location } : {}) })
    }).on('error', reject)
  })
}
