import { get } from 'node:http'

/** The response a browser gets when it navigates to the address: `fetch` may not set Sec-Fetch-Mode. */
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
