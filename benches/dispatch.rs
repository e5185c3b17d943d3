//! What a line costs in memory, framing and validation included: every table, compiled and interpreted.
//!
//! Times are per line. The interpreter asks every rule, so for the largest tables it gets fewer lines.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use relay_benches::{Engine, gathered, pipeline_of, tables, take, thinning};

const LINES: u64 = 20_000;

fn dispatch(criterion: &mut Criterion) {
    for engine in Engine::ALL {
        let mut group = criterion.benchmark_group(engine.name());
        group.sample_size(20);
        for name in tables::ALL {
            let count = LINES / thinning(name, engine);
            group.throughput(Throughput::Elements(count));
            let mut pipeline = pipeline_of(name, engine).expect("a table of this name");
            let (lines, mut gathered) = (tables::lines(name, count), gathered(name));
            group.bench_function(name, |bencher| {
                bencher.iter(|| assert_eq!(take(&lines, &mut *pipeline, &mut gathered), count));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, dispatch);
criterion_main!(benches);
