/** The archive as a download; a slow client holds one chunk in memory. */
export function archiveResponse(archive: {
  readonly size: number
  readonly content: AsyncGenerator<Uint8Array, void, undefined>
}): Response {
  const { content, size } = archive
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await content.next()
        if (done) controller.close()
        else controller.enqueue(value)
      },
      async cancel() {
        await content.return()
      },
    },
    { highWaterMark: 0 },
  )
  return new Response(body, {
    headers: {
      'content-type': 'application/zip',
      'content-length': String(size),
      'content-disposition': 'attachment; filename="mimir-export.zip"',
    },
  })
}
