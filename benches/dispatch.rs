//! What a line costs in memory, framing and validation included: every table, compiled and interpreted.
//!
//! Times are per line. The interpreter walks every rule, so it is not asked about the largest tables.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use relay_benches::{Engine, gathered, pipeline_of, tables, take};

const LINES: u64 = 20_000;

fn dispatch(criterion: &mut Criterion) {
    for engine in Engine::ALL {
        let mut group = criterion.benchmark_group(engine.name());
        group.throughput(Throughput::Elements(LINES)).sample_size(20);
        for name in tables::ALL {
            if engine == Engine::Interpreted && (name.ends_with("10k") || name.ends_with("100k")) {
                continue;
            }
            let mut pipeline = pipeline_of(name, engine).expect("a table of this name");
            let (lines, mut gathered) = (tables::lines(name, LINES), gathered(name));
            group.bench_function(name, |bencher| {
                bencher.iter(|| assert_eq!(take(&lines, &mut *pipeline, &mut gathered), LINES));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, dispatch);
criterion_main!(benches);
