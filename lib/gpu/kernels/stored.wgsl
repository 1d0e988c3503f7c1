// How keys and values are stored: four numbers of a row, and what they stand for. Here in f32;
// `stored-words.wgsl`, `stored-half.wgsl` and `stored-bfloat.wgsl` take this file's place.
alias Stored = vec4f;

fn loaded(four: Stored) -> vec4f {
  return four;
}
