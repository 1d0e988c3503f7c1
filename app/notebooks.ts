/** A notebook that travels with the page; its file and its recorded results have the slug as name. */
export interface BundledNotebookLink {
  readonly slug: string;
  /** Route below the site's root. */
  readonly path: string;
  readonly name: string;
}

export const NOTEBOOKS: readonly BundledNotebookLink[] = [
  { slug: 'why-split-prefill-and-decode', path: '/', name: 'Prefill and decode' },
  { slug: 'attention-lab', path: '/attention/', name: 'Attention' },
  { slug: 'what-a-cache-still-knows', path: '/cache/', name: 'KV cache' },
];
