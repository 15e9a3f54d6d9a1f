;; The kernel: a convolution, or a dense layer, 32 outputs at a time in eight registers of four numbers each.
;;
;; `kernel.wasm` is this text assembled (`tests/unit/views/test_live.py`). All numbers are float32, all lengths are in
;; bytes. The input already has its padding. Kernels lie as row, column, input, output, and the number of outputs is a
;; multiple of 32: `simd.js` fills it up with zeros.
(module
  (memory (import "digits" "memory") 1)
  (func (export "convolve")
    (param $input i32)        ;; where the input begins
    (param $kernel i32)       ;; where the kernel begins
    (param $bias i32)         ;; where the biases begin
    (param $output i32)       ;; where to write
    (param $height i32)       ;; rows of the output
    (param $width i32)        ;; places in a row of the output
    (param $inputRow i32)     ;; bytes of a row of the input, with its padding
    (param $inputPlace i32)   ;; bytes of a place of the input: its channels
    (param $tapsRow i32)      ;; bytes of the input under one row of the kernel
    (param $side i32)         ;; rows of the kernel
    (param $outputPlace i32)  ;; bytes of a place of the output: its channels
    (param $low f32)          ;; the least output: 0 for ReLU, else minus infinity
    (local $y i32) (local $x i32) (local $block i32) (local $row i32)
    (local $first i32)        ;; the input under the kernel's current row
    (local $from i32) (local $end i32)
    (local $weights i32)      ;; the weights from the current input to the 32 outputs
    (local $value f32) (local $values v128)
    (local $s0 v128) (local $s1 v128) (local $s2 v128) (local $s3 v128)
    (local $s4 v128) (local $s5 v128) (local $s6 v128) (local $s7 v128)

    (local.set $y (i32.const 0))
    (loop $rows
      (local.set $x (i32.const 0))
      (loop $places
        (local.set $block (i32.const 0))
        (loop $blocks
          ;; The sums begin with the biases.
          (local.set $weights (i32.add (local.get $bias) (local.get $block)))
          (local.set $s0 (v128.load offset=0 (local.get $weights)))
          (local.set $s1 (v128.load offset=16 (local.get $weights)))
          (local.set $s2 (v128.load offset=32 (local.get $weights)))
          (local.set $s3 (v128.load offset=48 (local.get $weights)))
          (local.set $s4 (v128.load offset=64 (local.get $weights)))
          (local.set $s5 (v128.load offset=80 (local.get $weights)))
          (local.set $s6 (v128.load offset=96 (local.get $weights)))
          (local.set $s7 (v128.load offset=112 (local.get $weights)))

          (local.set $weights (i32.add (local.get $kernel) (local.get $block)))
          (local.set $first
            (i32.add
              (local.get $input)
              (i32.add
                (i32.mul (local.get $y) (local.get $inputRow))
                (i32.mul (local.get $x) (local.get $inputPlace)))))
          (local.set $row (i32.const 0))
          (loop $taps
            (local.set $from (local.get $first))
            (local.set $end (i32.add (local.get $first) (local.get $tapsRow)))
            (loop $inputs
              (local.set $value (f32.load (local.get $from)))
              (if (f32.ne (local.get $value) (f32.const 0)) ;; most are 0 after ReLU, and paper is 0
                (then
                  (local.set $values (f32x4.splat (local.get $value)))
                  (local.set $s0 (f32x4.add (local.get $s0)
                    (f32x4.mul (local.get $values) (v128.load offset=0 (local.get $weights)))))
                  (local.set $s1 (f32x4.add (local.get $s1)
                    (f32x4.mul (local.get $values) (v128.load offset=16 (local.get $weights)))))
                  (local.set $s2 (f32x4.add (local.get $s2)
                    (f32x4.mul (local.get $values) (v128.load offset=32 (local.get $weights)))))
                  (local.set $s3 (f32x4.add (local.get $s3)
                    (f32x4.mul (local.get $values) (v128.load offset=48 (local.get $weights)))))
                  (local.set $s4 (f32x4.add (local.get $s4)
                    (f32x4.mul (local.get $values) (v128.load offset=64 (local.get $weights)))))
                  (local.set $s5 (f32x4.add (local.get $s5)
                    (f32x4.mul (local.get $values) (v128.load offset=80 (local.get $weights)))))
                  (local.set $s6 (f32x4.add (local.get $s6)
                    (f32x4.mul (local.get $values) (v128.load offset=96 (local.get $weights)))))
                  (local.set $s7 (f32x4.add (local.get $s7)
                    (f32x4.mul (local.get $values) (v128.load offset=112 (local.get $weights)))))))
              (local.set $weights (i32.add (local.get $weights) (local.get $outputPlace)))
              (local.set $from (i32.add (local.get $from) (i32.const 4)))
              (br_if $inputs (i32.lt_u (local.get $from) (local.get $end))))
            (local.set $first (i32.add (local.get $first) (local.get $inputRow)))
            (local.set $row (i32.add (local.get $row) (i32.const 1)))
            (br_if $taps (i32.lt_u (local.get $row) (local.get $side))))

          (local.set $values (f32x4.splat (local.get $low)))
          (local.set $from (i32.add (local.get $output) (local.get $block)))
          (v128.store offset=0 (local.get $from) (f32x4.max (local.get $s0) (local.get $values)))
          (v128.store offset=16 (local.get $from) (f32x4.max (local.get $s1) (local.get $values)))
          (v128.store offset=32 (local.get $from) (f32x4.max (local.get $s2) (local.get $values)))
          (v128.store offset=48 (local.get $from) (f32x4.max (local.get $s3) (local.get $values)))
          (v128.store offset=64 (local.get $from) (f32x4.max (local.get $s4) (local.get $values)))
          (v128.store offset=80 (local.get $from) (f32x4.max (local.get $s5) (local.get $values)))
          (v128.store offset=96 (local.get $from) (f32x4.max (local.get $s6) (local.get $values)))
          (v128.store offset=112 (local.get $from) (f32x4.max (local.get $s7) (local.get $values)))
          (local.set $block (i32.add (local.get $block) (i32.const 128)))
          (br_if $blocks (i32.lt_u (local.get $block) (local.get $outputPlace))))
        (local.set $output (i32.add (local.get $output) (local.get $outputPlace)))
        (local.set $x (i32.add (local.get $x) (i32.const 1)))
        (br_if $places (i32.lt_u (local.get $x) (local.get $width))))
      (local.set $y (i32.add (local.get $y) (i32.const 1)))
      (br_if $rows (i32.lt_u (local.get $y) (local.get $height))))))
