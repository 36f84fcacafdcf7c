/** Output to a pipe whose reader has left, such as `head` that has enough. Without a listener, it ends the process. */
export function onClosedPipe(act: () => void): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      act();
    });
  }
}
