import type { Metadata, Viewport } from 'next';
import type { ReactNode } from 'react';
import './globals.css';

export const metadata: Metadata = {
  title: 'Headroom: a workbench for LLM inference',
  description:
    'Compose an attention variant, a workload and a serving strategy; run real WebGPU kernels and a serving simulator in the page; share the experiment as a link.',
};
export const viewport: Viewport = { width: 'device-width', initialScale: 1 };

/** Sets the chosen theme before the first paint; the policy allows it by its hash. */
const THEME_SCRIPT =
  "try{const t=localStorage.getItem('headroom-theme');if(t==='light'||t==='dark')document.documentElement.dataset.theme=t}catch{}";

export default function Layout({ children }: { readonly children: ReactNode }) {
  return (
    <html lang="en" suppressHydrationWarning>
      <body>
        <script>{THEME_SCRIPT}</script>
        <a className="skip-link" href="#notebook">
          Skip to the notebook
        </a>
        {children}
      </body>
    </html>
  );
}
