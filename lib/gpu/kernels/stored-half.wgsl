// Keys and values in f16 of the shading language, the same bits as in `stored-words.wgsl`; sums stay f32.
enable f16;

alias Stored = vec4<f16>;

fn loaded(four: Stored) -> vec4f {
  return vec4f(four);
}
