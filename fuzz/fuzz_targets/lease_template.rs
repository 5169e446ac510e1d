#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strongroom_fuzz::lease_template(input));
