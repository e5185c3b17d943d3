//! What choosing a destination costs: each placement with 8 destinations, for one name and for 16 names at a
//! time.
//!
//! Times are per name. Names have 30 to 49 bytes and are all different.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use relay_runtime::{
    ring::{Hashes, NAMES_AT_A_TIME, RingIndex, Rings, md5},
    table::{Destination, DestinationIndex, HashAlgorithm, HashRing},
};
use std::hint::black_box;

const NAMES: usize = 4_096;

fn names() -> Vec<String> {
    let name = |at: usize| {
        let mut name = format!("servers.web{:04}.cpu.user.latency_ms.p99.{at}.mean", at * 7 % 9_999);
        name.truncate(30 + at % 20);
        name
    };
    (0..NAMES).map(name).collect()
}

fn rings(algorithm: HashAlgorithm) -> (Rings, RingIndex) {
    let destinations: Vec<_> = (0..8)
        .map(|at| Destination {
            instance: Some(format!("{at}")),
            ..Destination::new(format!("10.0.0.{at}:2003"))
        })
        .collect();
    let indices = (0..destinations.len()).map(DestinationIndex::new).collect();
    let ring = HashRing { algorithm, replicas: 1, diverse: false, destinations: indices };
    let (rings, indices) = Rings::new(std::iter::once(&ring), &destinations);
    (rings, indices[0])
}

fn select(criterion: &mut Criterion) {
    let texts = names();
    let names: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
    let mut group = criterion.benchmark_group("ring");
    group.throughput(Throughput::Elements(NAMES as u64));
    for algorithm in HashAlgorithm::ALL {
        let (rings, ring) = rings(algorithm);
        group.bench_function(format!("{algorithm:?}/one"), |bencher| {
            bencher.iter_batched_ref(
                Vec::new,
                |out| {
                    for name in &names {
                        out.clear();
                        rings.select(ring, name, out);
                        black_box(&*out);
                    }
                },
                BatchSize::SmallInput,
            );
        });
        group.bench_function(format!("{algorithm:?}/sixteen"), |bencher| {
            let mut hashes = Hashes::default();
            bencher.iter(|| {
                for batch in names.chunks(NAMES_AT_A_TIME) {
                    rings.hash(batch, |_| [ring].into_iter(), &mut hashes);
                    for at in 0..batch.len() {
                        hashes.forget();
                        black_box(rings.choose(ring, at, &mut hashes));
                    }
                }
            });
        });
    }
    group.finish();
}

fn hash(criterion: &mut Criterion) {
    let texts = names();
    let names: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
    let mut group = criterion.benchmark_group("md5");
    group.throughput(Throughput::Elements(NAMES as u64));
    group.bench_function("one", |bencher| {
        bencher.iter(|| names.iter().map(|name| u64::from(md5::position(name))).sum::<u64>());
    });
    for at_a_time in [2, 4, 8, md5::LANES_MAX] {
        group.bench_function(format!("{at_a_time}"), |bencher| {
            let mut positions = [0; md5::LANES_MAX];
            bencher.iter(|| {
                for batch in names.chunks(at_a_time) {
                    md5::positions(batch, &mut positions);
                    black_box(&positions);
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, select, hash);
criterion_main!(benches);
